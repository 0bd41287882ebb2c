"""The doctor, with real packets: a DNS server and mail servers on loopback."""
