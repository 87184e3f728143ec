"""The packaged tests: `pytest --pyargs conformance.suite --mockingbill-vendor VENDOR --mockingbill-target URL`."""
