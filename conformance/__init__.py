"""Holds any implementation of a contract to it: answers, random lives of records, and scripted promises."""
