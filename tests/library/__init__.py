"""Tests of kb.library."""
