"""The scripted model of the demonstration and of the tests, and the repository it works on."""
