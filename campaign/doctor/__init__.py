"""The doctor: it checks the machine, the mail server and the DNS, and says what to fix. It changes nothing."""
