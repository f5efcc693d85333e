"""The people who work here: accounts, roles, sign-in, API tokens, the workspace and its hours."""
