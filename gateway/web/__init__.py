"""The windows: pages for people and an API for programs, over what a gateway keeps.

Every way in is one :class:`~gateway.web.route.Route` of the table in :mod:`gateway.web.routes`: its address, the right
it asks for, whose messages it shows, and what goes in and comes out. Pages and API answer from the same readings.
"""
