"""``python -m edgekit``: the command line."""

from edgekit._siblings import leave_working_directory

leave_working_directory()

from edgekit.cli import main  # noqa: E402

if __name__ == "__main__":
    main()
