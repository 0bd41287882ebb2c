"""The command ``campaign``, also ``python -m campaign``: every command-line command, and those that keep running."""

from campaign import cli, freezing, processes


def main() -> None:
    """Run the command that the process's arguments name."""
    processes.add_to(cli.cli)
    freezing.add_to(cli.cli)
    cli.run()


if __name__ == "__main__":
    main()
