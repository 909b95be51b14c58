"""How good the rules are: sensitivity against burden, beside naive ways of alerting and published figures."""
