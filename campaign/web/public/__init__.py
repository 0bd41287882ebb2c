"""The public pages: the petition, its form, its numbers, and the links of the mails."""
