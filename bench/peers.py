"""The creates alone, by tools that call an API for each row of a file; run by the Python of an environment of theirs.

python bench/peers.py drt-core|polars-api URL customers.csv
"""

import csv
import json
import sys
import uuid

PATH = "/eclipse-conductor/rest/v1/tenants/1001/customers"


def bodies(path):
    with open(path, encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield {
                "firstName": row["first_name"], "lastName": row["last_name"], "phone1": "+27" + row["phone"][1:],
                "email": row["email"], "nationalIdentityNumber": row["national_id"], "userTypeId": 1,
                "externalUniqueId": str(uuid.uuid5(uuid.NAMESPACE_DNS, row["row_ref"])), "version": 0,
            }  # fmt: skip


def drt(url, path):
    from drt.config.models import RestApiDestinationConfig, SyncOptions
    from drt.destinations.rest_api import RestApiDestination

    form = ", ".join(f'"{name}": {{{{ row.{name} | tojson }}}}' for name in next(bodies(path)))
    given = {"type": "rest_api", "url": url + PATH, "body_template": f"{{{form}}}"}
    config = RestApiDestinationConfig(
        **given, headers={"Authorization": "Bearer t", "Content-Type": "application/json"}
    )
    options = SyncOptions(rate_limit={"requests_per_second": 1_000_000})
    return RestApiDestination().load(list(bodies(path)), config, options).success


def polars_api(url, path):
    import polars as pl
    import polars_api

    frame = pl.DataFrame({"body": [json.dumps(body) for body in bodies(path)]})
    headers = pl.struct(pl.lit("Bearer t").alias("Authorization"), pl.lit("application/json").alias("Content-Type"))
    polars_api.set_defaults(max_concurrency=64)
    sent = frame.with_columns(pl.lit(url + PATH).alias("url")).with_columns(
        reply=pl.col("url").api.apost(body=pl.col("body"), headers=headers)
    )
    return sent["reply"].drop_nulls().len()


if __name__ == "__main__":
    made = {"drt-core": drt, "polars-api": polars_api}[sys.argv[1]](sys.argv[2], sys.argv[3])
    print(made)
