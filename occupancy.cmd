@echo off
rem Runs this checkout on Windows, as ./occupancy does elsewhere: with the Deno on
rem the PATH, else with the one from npm.
setlocal
set extra=--allow-run=less,more.com
if "%~1"=="server" set extra=--allow-write
if "%~1"=="doctor" set extra=--allow-write
set options=--quiet --no-prompt --frozen --config "%~dp0deno.json" --lock "%~dp0deno.lock" --allow-net --allow-read --allow-env %extra%

where /q deno
if errorlevel 1 goto npx
deno run %options% "%~dp0main.ts" %*
exit /b

:npx
where /q npx
if errorlevel 1 goto neither
npx --yes deno@2.9.6 run %options% "%~dp0main.ts" %*
exit /b

:neither
echo occupancy: needs Deno (https://deno.com) or Node.js with npx on the PATH>&2
exit /b 1
