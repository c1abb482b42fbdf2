#!/usr/bin/env python
"""Run administrative tasks."""

import os
import sys


def main() -> None:
    os.umask(0o077)  # files of commands are private
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
