"""Accounts of the people who work here: how they log in, and their passwords."""
