"""Bug duty: whose turn it is, who stands in, and who is told beforehand."""
