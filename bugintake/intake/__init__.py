"""How bugs come in: reports, customers, the catalogue of choices, the form."""
