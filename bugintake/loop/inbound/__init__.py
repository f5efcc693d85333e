"""What comes back: returned mail, machines that answer, and what customers write by mail."""
