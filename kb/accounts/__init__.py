"""Staff accounts: roles, passwords, sessions, limits of logins, audit log, preferences."""
