"""What happens to a bug: board, transitions, the duty queue."""
