"""bugintake: from a customer's bug to a truthful answer."""

__version__ = "0.1.0"
