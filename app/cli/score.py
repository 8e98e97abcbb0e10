"""`millwright score AGENT`: run an agent's model over a CSV file."""

from app.cli.agent_command import run_agent_command


def main(argv: list[str]) -> int:
    """Run the command of the agent that is named first."""
    return run_agent_command("score", argv)
