"""One module per command of `journeyman`; each has the click command under the name ``command``."""
