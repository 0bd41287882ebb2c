"""The command ``campaign``, also ``python -m campaign``: every command-line command, and those that keep running."""

from campaign import cli


def main() -> None:
    """Run the command that the process's arguments name."""
    processes = dict.fromkeys(("serve", "worker"), "campaign.run.commands")
    cli.cli.modules |= {**processes, "freeze": "campaign.run.freeze"}
    cli.run()


if __name__ == "__main__":
    main()
