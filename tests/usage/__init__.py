"""Tests of kb.usage."""
