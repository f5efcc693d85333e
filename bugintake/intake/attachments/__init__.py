"""Files that belong to a report: what may come in, where it is kept, and who may have it."""
