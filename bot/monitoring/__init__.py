"""Logs, metrics and health checks, for the operator.

It must not know what is measured or checked: that is passed in. Public: `set_up_logs`, `Metrics`, `Health` and
`serve_watch`.
"""
