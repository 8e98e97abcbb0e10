"""`millwright evaluate AGENT`: print the metrics of an agent's model or rule as JSON."""

from app.cli.agent_command import run_agent_command

ABOUT = "Print the metrics of an agent's model or rule as JSON."


def main(argv: list[str]) -> int:
    """Run the command of the agent that is named first."""
    return run_agent_command("evaluate", ABOUT, argv)
