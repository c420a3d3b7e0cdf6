"""What other services are told and given of remote repositories, which the gateway alone can reach."""
