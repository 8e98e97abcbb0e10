"""What the pages of workflows, runs, approvals and commands are made of."""
