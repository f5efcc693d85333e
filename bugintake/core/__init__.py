"""What every room stands on: database, clock, events, errors, settings, forms, security, templates."""
