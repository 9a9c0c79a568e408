#!/bin/sh
echo not ours
