"""The command ``campaign``, also ``python -m campaign``: the commands of ``cli``, and those of ``run``."""

from campaign import cli


def main() -> None:
    """Run the command in the process's arguments, and exit with its status."""
    processes = dict.fromkeys(("serve", "worker"), "campaign.run.commands")
    cli.cli.modules |= {**processes, "freeze": "campaign.run.freeze"}
    cli.run()


if __name__ == "__main__":
    main()
