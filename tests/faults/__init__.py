"""Campaigns that hurt the daemon and count what it lost."""
