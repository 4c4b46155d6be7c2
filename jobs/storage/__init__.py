"""Objects in buckets, in the place of files: inputs that are fetched, folders of runs that are delivered.

Nothing here is imported, and no library of a cloud, before an address such as `s3://bucket/key` is given.
"""
