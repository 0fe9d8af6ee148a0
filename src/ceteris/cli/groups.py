"""The headings under which the help lists the commands."""

from cyclopts import Group

RUN = Group("Running", sort_key=1)
LOOK = Group("Looking", sort_key=2)
SETUP = Group("Set-up", sort_key=3)
