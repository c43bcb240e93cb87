"""The server of the original system, on paho-mqtt 1.6.1.

Usage: original_server.py PORT
Stores readings in a dict, and publishes str(dict) on occupancy/response for any request.
"""
import sys

import paho.mqtt.client as mqtt

occupancy = {}


def on_connect(client, userdata, flags, rc):
    client.subscribe([("occupancy/data", 0), ("occupancy/request", 0)])


def on_subscribe(client, userdata, mid, granted_qos):
    print("ready", file=sys.stderr, flush=True)


def on_message(client, userdata, message):
    if message.topic == "occupancy/request":
        client.publish("occupancy/response", str(occupancy))
    else:
        x, y, value = (int(part) for part in message.payload.decode().split(","))
        occupancy[(x, y)] = value


client = mqtt.Client()
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_message = on_message
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_forever()
