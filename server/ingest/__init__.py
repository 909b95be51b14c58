"""Takes what gateways send and records it: nothing lost, nothing twice, nothing thrown away unseen."""
