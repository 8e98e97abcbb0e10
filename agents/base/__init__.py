"""What all agents share: the five parts model, logic, state, communication and alerts."""
