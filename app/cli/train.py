"""`millwright train AGENT`: train an agent's model and write it with its card."""

from app.cli.agent_command import run_agent_command

ABOUT = "Train an agent's model and write it with its card."


def main(argv: list[str]) -> int:
    """Run the command of the agent that is named first."""
    return run_agent_command("train", ABOUT, argv)
