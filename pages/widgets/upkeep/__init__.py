"""What the pages of the action plan, orders and notifications are made of."""
