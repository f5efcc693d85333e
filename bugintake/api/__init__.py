"""The API for programs: schemas, /api/v1 and its document."""
