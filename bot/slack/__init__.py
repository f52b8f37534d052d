"""The Slack door: events in, messages out, permissions and rendering.

It must not know how a video is indexed or searched, nor SQL. Public: `SlackDoor` and `SlackConfig`.
"""
