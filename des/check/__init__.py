"""What the simulator and the theory must agree on: every closed form, against something that does not know it."""
