"""A server of the original's kind: paho-mqtt, a dict, a log line a message."""
import json
import sys
import time

import paho.mqtt.client as mqtt

options = json.loads(sys.argv[1])
marks = list(options["marks"])
occupancy = {}
count = 0


def say():
    print(json.dumps({"at": time.time() * 1000}), file=sys.stderr, flush=True)


def on_connect(client, userdata, flags, rc):
    client.subscribe(options["topic"], options["qos"])


def on_subscribe(client, userdata, mid, granted_qos):
    say()


def on_message(client, userdata, message):
    global count
    for line in message.payload.decode().splitlines():
        x, y, value = (int(part) for part in line.split(","))
        occupancy[(x, y)] = value
        print(f"Received {value} for {(x, y)}")
    count += 1
    if marks and count >= marks[0]:
        marks.pop(0)
        say()


client = mqtt.Client()
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_message = on_message
client.connect("127.0.0.1", options["port"])
client.loop_forever()
