"""The models, as plain data that every framework builds the same."""
