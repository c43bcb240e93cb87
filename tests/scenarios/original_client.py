"""The client of the original system, on paho-mqtt 1.6.1.

Usage: original_client.py PORT READINGS_JSON
Publishes each reading as "x,y,value" at QoS 0, requests with "get data", reads one
message from occupancy/response, and prints the dict in it as sorted JSON rows.
"""
import json
import sys
import threading

import paho.mqtt.client as mqtt

port, readings = int(sys.argv[1]), json.loads(sys.argv[2])
subscribed, answered = threading.Event(), threading.Event()
answer = []


def on_connect(client, userdata, flags, rc):
    client.subscribe("occupancy/response")


def on_subscribe(client, userdata, mid, granted_qos):
    subscribed.set()


def on_message(client, userdata, message):
    answer.append(message.payload.decode())
    answered.set()


client = mqtt.Client()
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_message = on_message
client.connect("127.0.0.1", port)
client.loop_start()
assert subscribed.wait(10), "no SUBACK"
for x, y, value in readings:
    client.publish("occupancy/data", f"{x},{y},{value}")
client.publish("occupancy/request", "get data")
assert answered.wait(10), "no answer"
client.disconnect()
client.loop_stop()

occupancy = eval(answer[0])  # as the original does: the reply is a Python dict
assert isinstance(occupancy, dict), answer[0]
print(answer[0], file=sys.stderr)
print(json.dumps([[x, y, value] for (x, y), value in occupancy.items()]))
