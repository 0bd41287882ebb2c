"""The doctor: looks at the machine, the mail server and the DNS, and says what to mend. It changes nothing."""
