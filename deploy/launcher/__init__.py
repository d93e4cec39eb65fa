"""What `./run` does: set-up, the demo, the tests, the checks, the services. Standard library only."""
