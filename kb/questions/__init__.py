"""Questions of customers: intake, answers, triage, inquiries, feedback and practice.

A question is open, then answered, then settled (assigned to an entry) or declined.
"""
