"""Customers and their companies: who they are, how they are found, and what is kept about them."""
