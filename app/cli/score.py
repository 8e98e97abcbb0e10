"""`millwright score AGENT`: run an agent's model over the rows of a CSV file."""

from app.cli.agent_command import run_agent_command

ABOUT = "Run an agent's model over the rows of a CSV file."


def main(argv: list[str]) -> int:
    """Run the command of the agent that is named first."""
    return run_agent_command("score", ABOUT, argv)
