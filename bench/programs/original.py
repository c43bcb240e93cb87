"""A server like the original script: paho-mqtt, a dict, a log line per message."""
import json
import sys
import time

import paho.mqtt.client as mqtt

options = json.loads(sys.argv[1])
marks = list(options["marks"])
occupancy = {}
count = 0


def report():
    print(json.dumps({"at": time.time() * 1000}), file=sys.stderr, flush=True)


def on_connect(client, userdata, flags, rc):
    client.subscribe(options["topic"], options["qos"])


def on_subscribe(client, userdata, mid, granted_qos):
    report()


def on_message(client, userdata, message):
    global count
    for line in message.payload.decode().splitlines():
        x, y, value = (int(part) for part in line.split(","))
        occupancy[(x, y)] = value
        print(f"Received {value} for {(x, y)}")
    count += 1
    if marks and count >= marks[0]:
        marks.pop(0)
        report()


client = mqtt.Client()
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_message = on_message
client.connect("127.0.0.1", options["port"])
client.loop_forever()
