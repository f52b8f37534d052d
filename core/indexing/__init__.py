"""From a posted link or file to an indexed video.

It must not know a platform, SQL, or how a video is decoded or encoded. Public: `Intake`, which answers posted videos,
and `Indexer`, which does the work.
"""
